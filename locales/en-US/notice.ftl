### notice
